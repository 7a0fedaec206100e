# Shows a text of 64 MB: one message.
import streamlit as st

st.text("x" * 64_000_000)
