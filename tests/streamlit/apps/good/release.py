# What an update must keep whole: inputs, an upload, a download and a picture. Tests replace the release.
import hashlib

import numpy
import streamlit as st

RELEASE = 1

st.title(f"Release {RELEASE}")
st.write(f"Hello, {st.text_input('Name', 'nobody')}.")
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
st.write(f"Clicks: {st.session_state.get('count', 0)}")
file = st.file_uploader("File")
if file:
    st.write(f"{file.size} bytes, SHA-256 {hashlib.sha256(file.getvalue()).hexdigest()}")
st.download_button("Download", f"Downloaded from release {RELEASE}", "release.txt")
st.image(numpy.full((20, 200, 3), RELEASE, dtype="uint8"))
for line in range(40):
    st.write(f"Line {line} of release {RELEASE}")
st.chat_input("Ask")
