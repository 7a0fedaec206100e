# Fails inside a form, by giving two widgets the same key.
import streamlit as st

with st.form("form"):
    st.text_input("One", key="same")
    st.text_input("Two", key="same")
    st.form_submit_button("Send")
