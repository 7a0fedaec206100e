import streamlit as st

st.title("The real start page")
