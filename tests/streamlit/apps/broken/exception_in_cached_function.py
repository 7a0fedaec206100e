# Fails in a cached function.
import streamlit as st


@st.cache_data
def load():
    raise ConnectionError("The database refuses.")


st.title("Report")
st.write(load())
