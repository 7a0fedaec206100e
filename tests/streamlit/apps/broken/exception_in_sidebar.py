# Fails inside the sidebar.
import streamlit as st

st.title("Sidebar")
with st.sidebar:
    st.write([1, 2][5])
