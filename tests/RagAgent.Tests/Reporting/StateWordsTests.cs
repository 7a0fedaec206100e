using System.Net;
using System.Text.RegularExpressions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Reporting;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Reporting;

/// <summary>Every state has words in the journal, the headline, the public message, the status page, the JSON and the terminal.</summary>
/// <remarks>A new kind of state fails here until it has a case, and then until it has words of its own.</remarks>
public sealed partial class StateWordsTests
{
    private static readonly ProbeSchedule Probe = new(Moment.Zero, null);
    private static readonly ImageName NewerImage = new("registry/app", Sample.NewerDigest);
    private static readonly Container Candidate = Sample.Container(digest: Sample.NewerDigest) with { Id = "abcdef0123456789" };
    private static readonly Release NextRelease = new(NewerImage, "config", "secrets");
    private static readonly Failure Crash =
        new(Moment.Zero, "release-1", new Problem(ProblemCatalog.AppExited, "It exited.", "Look there."), null);

    private static readonly AgentState Ready = Sample.StateWithoutContainer with
    {
        Secrets = Sample.Loaded(Sample.CurrentSecrets),
        Tag = Sample.Loaded(Sample.CurrentResolution),
        Image = Sample.Loaded(new FetchedImage(Sample.Digest, 1)),
        FrontDoor = new FrontDoorState(IsOpen: true, null),
        LastServed = Moment.Zero,
    };

    private static readonly AgentState Serving = Ready with
    {
        Front = Sample.Serving(),
        Images = Ready.Images with { KnownGood = [Sample.CurrentImage] },
        LastServed = null,
    };

    private static readonly Case[] Cases =
    [
        // The agent begins in this state.
        new(nameof(ContainerState.Unknown), new AgentState(), new AgentState()) { IsSilent = true },
        // The stop was logged.
        new(nameof(ContainerState.Absent), Ready with { Front = Stopping(new StopReason.Replaced()) }, Ready) { IsSilent = true },
        new(nameof(ContainerState.Starting), Ready, Ready with { Front = new ContainerState.Starting(1, NextRelease, Moment.Zero) }),
        new(nameof(ContainerState.Probing), Ready with { Front = new ContainerState.Starting(1, NextRelease, Moment.Zero) },
            Ready with { Front = Probing(ProbeKind.Startup) }),
        new(nameof(ContainerState.Serving), Ready with { Front = Probing(ProbeKind.Gate) }, Serving),
        new(nameof(ContainerState.Draining),
            Serving with { Candidate = new ContainerState.Probing(Candidate, Moment.Zero, ProbeKind.Gate, Probe, null, Adopted: false) },
            Serving with
            {
                Front = Sample.Serving() with { Container = Candidate },
                Candidate = new ContainerState.Draining(1, Sample.Container()),
            }),
        new(nameof(ContainerState.Stopping), Serving, Ready with { Front = Stopping(new StopReason.Unhealthy(4, "no answer")) }),
        new(nameof(ContainerState.BackingOff), Serving, Ready with
        {
            Front = new ContainerState.BackingOff(Moment.Zero, Crash),
            Failures = Ready.Failures with { Last = Crash, Crashes = 1 },
        }),

        new(nameof(StopReason.Replaced), Serving, Ready with { Front = Stopping(new StopReason.Replaced()) }),
        new(nameof(StopReason.Unhealthy), Serving, Ready with { Front = Stopping(new StopReason.Unhealthy(4, "no answer")) }),
        new(nameof(StopReason.NeverHealthy), Ready with { Front = Probing(ProbeKind.Startup) },
            Ready with { Front = Stopping(new StopReason.NeverHealthy(TimeSpan.FromMinutes(2), "no answer")) }),
        new(nameof(StopReason.SessionFailed), Ready with { Front = Probing(ProbeKind.Gate) },
            Ready with { Front = Stopping(new StopReason.SessionFailed("it shows an error")) }),
        new(nameof(StopReason.RestartedByOther), Serving, Ready with { Front = Stopping(new StopReason.RestartedByOther()) }),
        new(nameof(StopReason.Requested), Serving, Ready with { Front = Stopping(new StopReason.Requested()), Hold = StopHold.Operator }),
        new(nameof(StopReason.Stray), Serving, Serving with { Candidate = Stopping(new StopReason.Stray()) }),
        new(nameof(StopReason.LeftOver), Serving, Serving with { Candidate = Stopping(new StopReason.LeftOver()) }),
        new(nameof(StopReason.Retired), Serving with { Candidate = new ContainerState.Draining(1, Candidate) },
            Serving with { Candidate = Stopping(new StopReason.Retired()) }),

        // The start of its container is logged.
        new(nameof(Verdict.OnTrial), Serving, WithVerdict(new Verdict.OnTrial(NewerImage, 0, 1))) { IsSilent = true },
        new(nameof(Verdict.RolledBack), Serving,
            WithVerdict(new Verdict.RolledBack(NewerImage, Crash.Problem, 0, 1, ByOperator: false, null))),
        new(nameof(Verdict.Undecided), Serving, WithVerdict(new Verdict.Undecided(NewerImage, Crash.Problem, 1, null))),
        new(nameof(Verdict.Quarantined), WithVerdict(new Verdict.RolledBack(NewerImage, Crash.Problem, 0, 1, ByOperator: false, null)),
            WithVerdict(new Verdict.Quarantined(NewerImage, Crash.Problem))),

        // The end of the command is logged.
        new(nameof(StopHold.Operator), Ready, Ready with { Hold = StopHold.Operator }) { IsSilent = true },
        new(nameof(StopHold.DockerStop), Serving, Ready with { Hold = StopHold.DockerStop }),

        new(nameof(ProbeKind.Startup), Ready with { Front = new ContainerState.Starting(1, NextRelease, Moment.Zero) },
            Ready with { Front = Probing(ProbeKind.Startup) }),
        // A container that passes its gate serves, which is logged.
        new(nameof(ProbeKind.Gate), Ready with { Front = Probing(ProbeKind.Startup) }, Ready with { Front = Probing(ProbeKind.Gate) })
        {
            IsSilent = true,
        },
        new(nameof(ProbeKind.Liveness), Serving, Serving with { Front = Sample.Serving(failures: 1, fault: "no answer") }),

        new(nameof(SessionReading.NotRun), Ready with { Front = Probing(ProbeKind.Gate) }, Serving),
        new(nameof(SessionReading.Works), Ready with { Front = Probing(ProbeKind.Gate) },
            Serving with { Front = Sample.Serving() with { Session = SessionReading.Works } }),
        new(nameof(SessionReading.Unreadable), Ready with { Front = Probing(ProbeKind.Gate) },
            Serving with { Front = Sample.Serving() with { Session = SessionReading.Unreadable } }),
        new(nameof(SessionFailure), Ready with { Front = Probing(ProbeKind.Gate) },
            Ready with { Front = Probing(ProbeKind.Startup) with { Session = new SessionFailure(1, Moment.Zero, "it shows an error", false) } }),
        new(nameof(ContainerState.Serving.SessionError), Ready with { Front = Probing(ProbeKind.Gate) },
            Serving with { Front = Sample.Serving() with { SessionError = "it shows an error" } }),

        new(nameof(RequestKind.Update), Serving, WithOutcome(RequestKind.Update, changed: true)),
        new(nameof(RequestKind.Rollback), Serving, WithOutcome(RequestKind.Rollback, changed: true)),
        new(nameof(RequestKind.Unquarantine), Serving, WithOutcome(RequestKind.Unquarantine, changed: true)),
        new(nameof(RequestKind.Stop), Serving, WithOutcome(RequestKind.Stop, changed: false)),
        new(nameof(RequestKind.Start), Serving, WithOutcome(RequestKind.Start, changed: false)),
    ];

    public static TheoryData<string> Names => [.. Cases.Select(each => each.Name).Distinct()];

    [Fact]
    public void Every_kind_of_state_has_a_case() =>
        Assert.Equal(
            new[] { typeof(ContainerState), typeof(StopReason), typeof(Verdict) }.SelectMany(SubtypeNames)
                .Concat(Enum.GetNames<StopHold>()).Concat(Enum.GetNames<ProbeKind>()).Concat(Enum.GetNames<RequestKind>())
                .Concat(Enum.GetNames<SessionReading>())
                .Concat([nameof(SessionFailure), nameof(ContainerState.Serving.SessionError)])
                .Order(),
            Cases.Select(each => each.Name).Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void The_journal_reports_a_change_into_each_state_or_is_silent_on_purpose(string name) => Assert.All(CasesOf(name), each =>
    {
        var lines = JournalOf(each);

        Assert.Equal(each.IsSilent, lines.Count == 0);
        Assert.All(lines, AssertWords);
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void The_headline_and_the_public_message_are_sentences_in_each_state(string name) => Assert.All(CasesOf(name), each =>
    {
        AssertSentence(Headline.Describe(each.State, Sample.DefaultPolicy));
        AssertSentence(PublicMessages.Describe(each.State, Sample.DefaultPolicy));
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void The_status_page_has_words_for_each_state(string name) => Assert.All(CasesOf(name), each =>
    {
        var page = StatusPageModel.Of(each.State, Sample.DefaultPolicy, Sample.FirstBoot(), Moment.Zero, PageDetails.Full);

        Assert.Contains(page.Status, (string[])["starting", "updating", "restarting", "failing", "unreachable", "stopped", "leaving"]);
        AssertSentence(page.Sentence);
        AssertSentence(page.Details!);
        Assert.Equal(page.Status == "stopped", page.Steps.Count == 0);
        Assert.All(page.Steps, step =>
        {
            AssertWords(step.Name);
            AssertWords(step.State);
            AssertWords(step.Note);
        });
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void The_JSON_has_words_for_each_state(string name) => Assert.All(CasesOf(name), each =>
    {
        var status = DocumentOf(each.State);

        Assert.Contains(
            status.App.State, (string[])["unknown", "absent", "starting", "serving", "unhealthy", "stopping", "stopped", "backoff"]);
        Assert.Equal(each.State.Front is ContainerState.Unknown, status.App.State == "unknown");
        Assert.Contains(
            status.Rollout.Phase,
            (string[])["resolve", "pull", "waiting", "candidate", "gate", "swap", "watch", "rolled-back", "undecided", "settled", "none"]);
        Assert.Equal(each.State.Hold is null, status.App.StoppedBy is null);
        Assert.Equal(each.State.Images.Verdict is { IsAvoided: true }, status.Rollout.SetAside is { Verdict.Length: > 0 });
        Assert.Equal(each.State.Requests.LastOutcome is null, status.Update.Last is null);
        AssertSentence(status.Headline);
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void The_terminal_has_words_for_each_state(string name) => Assert.All(CasesOf(name), each =>
    {
        var lines = StatusText.Format(DocumentOf(each.State)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Contains(lines, line => line.StartsWith("app       ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("rollout   ", StringComparison.Ordinal));
        Assert.All(lines.Where(line => line != "app       unknown"), AssertWords);
    });

    [Fact]
    public void Each_state_of_the_container_has_a_headline_and_a_public_message_of_its_own()
    {
        // Unknown and Absent are described by what the start waits for, and a draining container is never in front.
        var states = SubtypeNames(typeof(ContainerState)).Except([nameof(ContainerState.Unknown), nameof(ContainerState.Draining)]);
        var described = states.SelectMany(CasesOf)
            .Select(each => Ready with
            {
                Front = each.State.Front,
                Failures = each.State.Failures,
            }).ToArray();

        AssertDistinct(described.Select(state => Headline.Describe(state, Sample.DefaultPolicy)));
        AssertDistinct(described.Select(state => PublicMessages.Describe(state, Sample.DefaultPolicy)));
    }

    [Fact]
    public void Each_reason_verdict_hold_and_request_has_words_of_its_own()
    {
        AssertDistinct(SubtypeNames(typeof(StopReason)).SelectMany(CasesOf).Select(each => string.Join('\n', JournalOf(each))));
        AssertDistinct(
            SubtypeNames(typeof(Verdict)).SelectMany(CasesOf).Select(each => Headline.Describe(each.State, Sample.DefaultPolicy)));
        AssertDistinct(Enum.GetNames<StopHold>().SelectMany(CasesOf).Select(each => Headline.Describe(each.State, Sample.DefaultPolicy)));
        AssertDistinct(Enum.GetNames<RequestKind>().SelectMany(CasesOf).Select(each => StatusText.Format(DocumentOf(each.State))));
    }

    [Fact]
    public void A_wrong_port_is_in_the_journal_the_headline_the_problems_and_the_terminal()
    {
        var before = Ready with { Front = Probing(ProbeKind.Startup) with { LastError = "/ did not answer" } };
        var search = new PortSearch(1, Moment.Zero, new ContainerPorts(8501, [new ListeningPort(8080, false)], []));
        var after = before with { Front = Probing(ProbeKind.Startup) with { LastError = "/ did not answer", Ports = search } };
        const string words = "the app listens on port 8080.";

        Assert.Contains(words, Assert.Single(JournalOf(new Case("", before, after))), StringComparison.Ordinal);
        Assert.Contains(words, Headline.Describe(after, Sample.DefaultPolicy), StringComparison.Ordinal);
        Assert.Equal("app-wrong-port", Assert.Single(DocumentOf(after).Problems).Code);
        Assert.Contains(words, StatusText.Format(DocumentOf(after)), StringComparison.Ordinal);
        Assert.Contains(words, RagAgent.Control.Checks.AppCheck.Evaluate(DocumentOf(after)).What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wait_for_people_is_in_the_journal_the_headline_the_JSON_and_the_terminal()
    {
        var open = new OpenSessions(1, [Moment.Zero, Moment.Zero - TimeSpan.FromHours(1)]);
        var before = Serving with { Sessions = open };
        var after = before with { UpdateWaitsSince = Moment.Zero };

        Assert.Equal(
            "A newer release is ready and waits until no session is in use (2 of 3 now), for 1d at most.",
            Assert.Single(JournalOf(new Case("", before, after))));
        Assert.EndsWith(
            "; a newer release waits until no session is in use (2 of 3 now).",
            Headline.Describe(after, Sample.DefaultPolicy),
            StringComparison.Ordinal);
        var status = DocumentOf(after);
        Assert.Equal((3, 2), (status.App.Sessions, status.App.SessionsInUse));
        Assert.Equal((2, TimeSpan.FromDays(1)), (status.Rollout.Wait!.Sessions, status.Rollout.Wait.Until - status.Rollout.Wait.Since));
        Assert.Equal(status.Rollout.Wait.Since, status.Rollout.Wait.LastActivity);
        Assert.Contains(" for 2 sessions in use, last used ", StatusText.Format(status), StringComparison.Ordinal);
        Assert.Null(DocumentOf(before).Rollout.Wait);
    }

    [Fact]
    public void A_wait_that_has_lasted_too_long_is_in_the_journal()
    {
        var waiting = Serving with { Sessions = Sample.OpaqueSessions(1), UpdateWaitsSince = Moment.Zero };

        Assert.Equal(
            "The newer release has waited for 1d and takes over now, although 1 of 1 sessions are in use.",
            Assert.Single(JournalOf(new Case("", waiting, waiting with { Now = Moment.Zero + TimeSpan.FromDays(1) }))));
    }

    private static IEnumerable<string> SubtypeNames(Type type) =>
        type.GetNestedTypes().Where(nested => nested.IsSubclassOf(type)).Select(nested => nested.Name);

    private static IEnumerable<Case> CasesOf(string name) => Cases.Where(each => each.Name == name);

    private static ContainerState.Stopping Stopping(StopReason reason) => new(1, Sample.Container(), reason);

    private static ContainerState.Probing Probing(ProbeKind stage) =>
        new(Sample.Container(), Moment.Zero, stage, Probe, null, Adopted: false);

    private static AgentState WithVerdict(Verdict verdict) => Serving with { Images = Serving.Images with { Verdict = verdict } };

    private static AgentState WithOutcome(RequestKind kind, bool changed) =>
        Serving with { Requests = Serving.Requests with { LastOutcome = new RequestOutcome(1, kind, changed, Sample.Digest, null) } };

    private static List<string> JournalOf(Case each)
    {
        var lines = new List<string>();
        new StateChangeLog(new ListLogger<Supervisor>(lines), Sample.DefaultPolicy)
            .Changed(each.Before, each.State, new Event.Tick(Moment.Zero));
        return lines;
    }

    private static StatusDocument DocumentOf(AgentState state)
    {
        var feed = new StateFeed();
        feed.Publish(state);
        var other = new NothingElse();
        var clock = new AgentClock(TimeProvider.System);
        var config = new AgentConfig { Image = "app" };
        return new StatusWriter(config, Sample.DefaultPolicy, feed, Sample.FirstBoot(), other, other, other, other, other, clock).Build();
    }

    private static void AssertDistinct(IEnumerable<string> texts) =>
        Assert.Empty(texts.GroupBy(text => text).Where(same => same.Count() > 1).Select(same => same.Key));

    private static void AssertSentence(string text)
    {
        AssertWords(text);
        Assert.EndsWith(".", text, StringComparison.Ordinal);
    }

    /// <summary>Neither empty nor the name of a type, a record as text, or a placeholder.</summary>
    private static void AssertWords(string text)
    {
        Assert.False(string.IsNullOrWhiteSpace(text));
        Assert.DoesNotMatch(NotWords(), text);
    }

    [GeneratedRegex(@"[a-z][A-Z]|RagAgent\.| \{ |\bunknown\b|no reason was recorded|\bnull\b", RegexOptions.CultureInvariant)]
    private static partial Regex NotWords();

    /// <param name="Name">The type or enum member that it is a case of.</param>
    /// <param name="Before">The state before it.</param>
    /// <param name="State">The state that is put into words.</param>
    private sealed record Case(string Name, AgentState Before, AgentState State)
    {
        /// <summary>The journal has no line for this change, for the reason in the comment.</summary>
        public bool IsSilent { get; init; }
    }

    /// <summary>Nothing is known beside the state.</summary>
    private sealed class NothingElse : IConfigStatus, IPasswordStatus, ICertificateStatus, IDnsStatus, IAppExceptions
    {
        public (int Count, string? LastLine) OfVisitors(string containerId) => default;

        public string? Fingerprint => null;

        public IReadOnlyList<string> Names => [];

        public DateTimeOffset? ValidUntil => null;

        public IReadOnlyList<IPAddress> Addresses => [];

        public IEnumerable<ReportedProblem> Problems => [];
    }
}
