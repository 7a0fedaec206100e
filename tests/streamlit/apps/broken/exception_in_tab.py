# Fails inside a tab.
import streamlit as st

st.title("Tabs")
first, second = st.tabs(["First", "Second"])
first.write("Good")
with second:
    st.write(1 / 0)
