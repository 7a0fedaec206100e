using RagAgent.Common;
using RagAgent.Streamlit;

namespace RagAgent.Proxy.Forwarding;

/// <summary>The run of a session's script that a person began, as far as its messages tell.</summary>
internal sealed class PersonalRun
{
    /// <summary>How long a run counts as what a person began. A page that redraws itself in a loop never ends.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromHours(2);

    /// <summary>How often a script may start itself again in a row. More often, it is a page that redraws itself.</summary>
    public const int MaxReruns = 3;

    private int _endsLeft;
    private int _reruns;
    private bool _pageAsked;

    /// <summary>When the person began it; null: there is none, or it has ended.</summary>
    public Moment? Since { get; private set; }

    /// <summary>Whether what the app sends now belongs to it.</summary>
    public bool Counts(Moment now) => Since is { } since && now - since <= MaxAge;

    public void RequestedByPerson(Moment now)
    {
        // A run that the page asked for may have to end first.
        _endsLeft = _pageAsked ? 2 : 1;
        _reruns = 0;
        Since = now;
    }

    public void RequestedByPage() => _pageAsked = true;

    /// <param name="status">One of <see cref="FinishStatus"/>, or unknown.</param>
    public void Ended(int status)
    {
        _pageAsked = false;
        if (status == FinishStatus.EarlyForRerun)
        {
            // The next one continues it, or is the one that the person asked for.
            _endsLeft = 1;
            _reruns++;
        }
        else
        {
            _endsLeft--;
        }
        if (_endsLeft <= 0 || _reruns > MaxReruns)
        {
            Since = null;
        }
    }
}
