# Has what a person uses: inputs, an upload, a download, a picture, a sound, a table, and a query parameter.
import hashlib
import io
import wave

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
sound = io.BytesIO()
with wave.open(sound, "wb") as two_seconds:
    two_seconds.setnchannels(1)
    two_seconds.setsampwidth(2)
    two_seconds.setframerate(8000)
    two_seconds.writeframes(bytes(32_000))
st.audio(sound.getvalue(), format="audio/wav")
st.dataframe(pandas.DataFrame({"a": range(100)}))
if st.button("Next page"):
    st.query_params["page"] = "eight"
st.write(f"Page {st.query_params.get('page', 'none')}")
