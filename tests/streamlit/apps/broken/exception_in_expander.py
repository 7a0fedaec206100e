# Fails inside an expander.
import streamlit as st

st.title("Details")
with st.expander("More"):
    st.write(None.missing)
