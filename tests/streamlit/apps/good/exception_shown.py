# Shows an exception on purpose, as an element.
import streamlit as st

st.title("Import of a file")
try:
    int("twelve")
except ValueError as exception:
    st.exception(exception)
st.write("The other rows were imported.")
