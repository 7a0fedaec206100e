# Is no valid Python, because a bracket is never closed.
import streamlit as st

st.title("Never shown"
st.write("Never shown")
