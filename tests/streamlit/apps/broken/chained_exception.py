# Fails with a chain of exceptions and a message of several lines.
import streamlit as st

st.title("Index")
try:
    {}["collection"]
except KeyError as cause:
    raise RuntimeError("The index is broken.\nBuild it again.\nThen restart.") from cause
