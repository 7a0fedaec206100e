# Imports a package that requirements.txt forgot.
import streamlit as st
import a_package_that_is_not_installed as missing

st.title("Never shown")
st.write(missing.__version__)
