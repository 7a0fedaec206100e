# Has a part that reruns alone.
import streamlit as st


@st.fragment
def counter():
    if st.button("Count"):
        st.session_state.count = st.session_state.get("count", 0) + 1
    st.write("Count:", st.session_state.get("count", 0))


st.title("Fragment")
counter()
