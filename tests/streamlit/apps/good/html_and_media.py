# Shows HTML, an image, a sound and a download button.
import io
import wave

import numpy
import streamlit as st

st.html("<b>bold</b>")
st.image(numpy.zeros((20, 20, 3), dtype="uint8"))
sound = io.BytesIO()
with wave.open(sound, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(bytes(1600))
st.audio(sound.getvalue(), format="audio/wav")
st.download_button("Download", b"content", "file.bin")
