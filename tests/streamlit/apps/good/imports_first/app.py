# Its first session imports for 3 seconds. Every further one is quick.
import heavy

import streamlit as st

heavy.sessions += 1
st.write(f"Session {heavy.sessions} since the imports")
