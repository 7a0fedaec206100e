# Calls a function that this version of Streamlit does not have.
import streamlit as st

st.title("Upgraded")
st.experimental_get_query_params_of_long_ago()
