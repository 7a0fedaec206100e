# Sends a table of 200,000 rows: a message of several megabytes.
import numpy
import pandas
import streamlit as st

st.title("Measurements")
st.dataframe(pandas.DataFrame(numpy.arange(800_000).reshape(-1, 4), columns=list("abcd")))
