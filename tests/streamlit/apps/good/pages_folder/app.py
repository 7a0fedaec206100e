# Has further pages in the folder pages/.
import streamlit as st

st.title("Start")
st.page_link("pages/1_Second.py", label="Second page")
