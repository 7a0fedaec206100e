# Has a part that the browser reruns every second.
import datetime

import streamlit as st


@st.fragment(run_every=1)
def clock():
    st.write(f"It is {datetime.datetime.now():%H:%M:%S}.")


st.title("Clock")
clock()
