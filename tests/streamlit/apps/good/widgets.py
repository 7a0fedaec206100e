# Has what a person uses: a text input, a counter, an upload, a download, a picture, a table, and a query parameter.
import hashlib

import numpy
import pandas
import streamlit as st

st.title("Widgets")
st.write(f"Version {st.__version__}")
st.write(f"Hello, {st.text_input('Name', 'nobody')}.")
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
st.write(f"Clicks: {st.session_state.get('count', 0)}")
file = st.file_uploader("File")
if file:
    st.write(f"{file.size} bytes, SHA-256 {hashlib.sha256(file.getvalue()).hexdigest()}")
st.download_button("Download", bytes(1_000_000), "zeros.bin")
st.image(numpy.full((20, 20, 3), 200, dtype="uint8"))
st.dataframe(pandas.DataFrame({"a": range(100)}))
st.write(f"Page {st.query_params.get('page', 'none')}")
