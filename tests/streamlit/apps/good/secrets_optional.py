# Looks for a secret that may be missing.
import streamlit as st

try:
    key = st.secrets["OPENAI_API_KEY"]
except (FileNotFoundError, KeyError):
    key = None
st.write("With a key" if key else "Without a key: read-only mode")
