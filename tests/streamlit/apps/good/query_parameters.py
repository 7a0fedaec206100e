# Reads and writes the address's query parameters.
import streamlit as st

st.query_params["page"] = st.query_params.get("page", "1")
st.write("Page", st.query_params["page"])
