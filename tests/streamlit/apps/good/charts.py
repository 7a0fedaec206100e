# Draws charts.
import pandas
import streamlit as st

data = pandas.DataFrame({"a": [1, 3, 2], "b": [2, 1, 3]})
st.line_chart(data)
st.bar_chart(data)
