# Sends every visitor to another page at once.
import streamlit as st

st.switch_page("pages/start.py")
