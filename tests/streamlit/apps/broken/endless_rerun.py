# Reruns itself for ever, and never shows anything.
import streamlit as st

st.rerun()
