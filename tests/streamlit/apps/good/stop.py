# Ends its run early with st.stop, as an app does that waits for input.
import streamlit as st

st.title("Choose a file first")
if st.file_uploader("File") is None:
    st.stop()
st.write("Never reached without a file.")
