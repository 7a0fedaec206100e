# Raises MemoryError while it builds its table.
import streamlit as st

st.title("Big")
st.write(len(bytearray(1 << 62)))
