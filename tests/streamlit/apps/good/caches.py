# Caches data and a resource, with a spinner on the first run.
import time

import streamlit as st


@st.cache_data
def load():
    time.sleep(0.5)
    return {"rows": 3}


@st.cache_resource(show_spinner="Connecting …")
def connect():
    time.sleep(0.5)
    return object()


st.write("Rows:", load()["rows"])
connect()
st.write("Connected")
