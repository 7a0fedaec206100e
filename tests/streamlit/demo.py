# The app that demo.sh shows. It changes VERSION.
import hashlib
import os

import streamlit as st

VERSION = "1"

st.title("RAGstream")
st.write(f"This is version {VERSION}.")
name = st.text_input("Your name")
if name:
    st.write(f"Hello, {name}.")
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
st.write(f"Clicks: {st.session_state.get('count', 0)}")
key = os.environ.get("OPENAI_API_KEY", "")
st.caption(f"SHA-256 of the key: {hashlib.sha256(key.encode()).hexdigest()}")
