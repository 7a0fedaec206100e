# Reruns itself once, after it has set its state.
import streamlit as st

st.write("First run" if "ready" not in st.session_state else "Second run")
if "ready" not in st.session_state:
    st.session_state.ready = True
    st.rerun()
st.write("Ready")
