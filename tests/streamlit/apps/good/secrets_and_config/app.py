# Uses a secret where there is one, and brings its own configuration.
import hashlib

import streamlit as st

try:
    secret = hashlib.sha256(st.secrets["OPENAI_API_KEY"].encode()).hexdigest()
except FileNotFoundError:
    secret = "none"
st.write(f"SHA-256 of the secret: {secret}.")
st.write(f"Color: {st.get_option('theme.primaryColor')}.")
