using System.Text.Json;
using RagAgent.Reporting;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Reporting;

public class StatusDocumentTests
{
    // What scripts may read. Names are added here when the document gets them, and never taken away.
    private static readonly string[] Keys =
    [
        "version", "revision", "headline",
        "app.state", "app.since", "app.container", "app.release", "app.digest", "app.newest", "app.crashes",
        "app.crashLooping", "app.sessions", "app.sessionsInUse", "app.nextStart", "app.stoppedBy", "app.session", "app.exceptions.count", "app.exceptions.last",
        "image.reference", "image.digest", "image.tagDigest", "image.checkedAt", "image.nextCheck",
        "image.pull.percent", "image.pull.downloadedBytes", "image.pull.totalBytes",
        "secrets.versions", "secrets.readAt", "engine.version", "engine.answers", "frontDoor.port", "frontDoor.open",
        "frontDoor.https.port", "frontDoor.https.names", "frontDoor.https.validUntil",
        "update.pending", "update.last.id", "update.last.changed", "update.last.digest", "update.last.problem.code",
        "update.last.problem.what", "update.last.problem.remedy", "update.last.problem.nextTry", "update.last.kind",
        "rollout.phase", "rollout.candidate", "rollout.watchUntil", "rollout.wait.sessions",
        "rollout.wait.lastActivity", "rollout.wait.since", "rollout.wait.until", "rollout.lastGood", "rollout.setAside.digest",
        "rollout.setAside.verdict", "rollout.setAside.why.code",
        "rollout.setAside.why.what", "rollout.setAside.why.remedy", "rollout.setAside.why.nextTry",
        "lastFailure.at", "lastFailure.release", "lastFailure.problem.code",
        "lastFailure.problem.what", "lastFailure.problem.remedy", "lastFailure.problem.nextTry",
        "lastFailure.lastLines", "lastFailure.exit.code", "lastFailure.exit.signal", "lastFailure.exit.outOfMemory",
        "problems.code", "problems.what", "problems.remedy", "problems.nextTry",
        "boot.this.began", "boot.this.steps.name", "boot.this.steps.seconds",
        "boot.previous.began", "boot.previous.steps.name", "boot.previous.steps.seconds",
        "idle.lastActivity", "idle.stopsAt", "idle.because", "idle.noticed", "idle.stopping", "configFingerprint",
        "dns.name", "dns.url", "dns.addresses",
    ];

    private static readonly DateTimeOffset At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ProblemStatus AnyProblem = new("trouble", "It went wrong.", "Do this.", At);

    private static readonly StatusDocument Full = new(
        "1.2.3", 42, "The app serves.",
        new AppStatus("serving", At, "0123456789ab", "release-1", Sample.Digest, false, 2, false, 3, At)
        {
            Session = "unreadable",
            Exceptions = new ExceptionsStatus(2, "KeyError: 'x'"),
            SessionsInUse = 1,
        },
        new ImageStatus("registry/app:latest", Sample.NewerDigest, Sample.NewerDigest, At, At, new PullStatus(50, 500_000, 1_000_000)),
        new SecretsStatus(["KEY (version 3 of parameter /key)"], At), new EngineStatus("29.0.0 (API 1.44)", false),
        new FrontDoorStatus(80, true, new HttpsStatus(443, ["rag.example.com", "www.example.com"], At)),
        new UpdateStatus(null, new UpdateResult(7, false, Sample.Digest, AnyProblem)),
        new RolloutStatus("watch", "abcdef012345", At, [Sample.Digest], new SetAsideStatus(Sample.NewerDigest, "quarantined", AnyProblem))
        {
            Wait = new WaitStatus(1, At, At.AddHours(-1), At.AddHours(23)),
        },
        new FailureStatus(At, "release-0", AnyProblem, ["last line"], new ExitStatus(137, 9, true)), [AnyProblem],
        new BootsStatus(
            new BootStatus(At, [new BootStepStatus("agent", 6.123), new BootStepStatus("healthy", 21)]),
            new BootStatus(At.AddDays(-1), [new BootStepStatus("agent", 6), new BootStepStatus("healthy", 120.66)])),
        new IdleStatus(At, At.AddHours(1), "idle", true, false),
        new DnsStatus("rag.example.com", "https://rag.example.com/", ["203.0.113.7", "2001:db8::7"]), "0123abcd");

    [Fact]
    public void The_document_has_every_key_that_scripts_may_read()
    {
        using var document = JsonDocument.Parse(JsonSerializer.Serialize(Full, ControlJson.Default.StatusDocument));

        Assert.Equal(Keys.Order(), KeysOf(document.RootElement, "").Distinct().Order());
    }

    [Fact]
    public void The_document_survives_serialization() =>
        Assert.Equal(Serialize(Full), Serialize(JsonSerializer.Deserialize(Serialize(Full), ControlJson.Default.StatusDocument)!));

    [Fact]
    public void The_text_has_a_line_for_each_part_of_the_status()
    {
        var (at, before) = (LocalTime(At), LocalTime(At.AddDays(-1)));
        var wait = $"1 session in use, last used {at}, since {LocalTime(At.AddHours(-1))}, until {LocalTime(At.AddHours(23))} at the latest";

        Assert.Equal($"""
            The app serves.

            app       serving since {at}, container 0123456789ab, release release-1
            url       https://rag.example.com/ (203.0.113.7, 2001:db8::7)
            image     registry/app:latest
            digest    {Sample.Digest} (a newer one is known)
            newest    {Sample.NewerDigest}
            rollout   watch, second container abcdef012345, good from {at} for {wait}
            last good sha256:0123456789ab
            set aside sha256:ffffffffffff, quarantined: It went wrong.
            checked   {at}, next {at}
            pull      50 %, 500 kB of 1 MB
            secrets   KEY (version 3 of parameter /key)
            engine    Docker 29.0.0 (API 1.44), does not answer
            http      port 80, 3 sessions open, 1 in use
            https     port 443, for rag.example.com, www.example.com, valid until {at}
            session   could not be read: the app does not speak Streamlit's protocol
            errors    2 uncaught exceptions in visitors' sessions, the last: KeyError: 'x'
            crashes   2 in a row, next start {at}
            idle      last used {at}; the instance stops {LocalTime(At.AddHours(1))} unless someone uses the app
            request   the last update failed: It went wrong. Do this.
            problem   It went wrong. Do this. Next try {at}.
            failed    {at}: It went wrong. Do this.
                      | last line

            boot      {at}, in seconds since then (the boot before it: {before})
                      agent            6.1   (6.0)
                      healthy         21.0   (120.7)

            """, StatusText.Format(Full));
    }

    [Fact]
    public void On_a_narrow_terminal_lines_wrap_between_words_and_continue_below_their_value()
    {
        var text = StatusText.Format(Full, 50);

        Assert.Contains($"\ndigest    {Sample.Digest}\n          (a newer one is known)\n", text, StringComparison.Ordinal);
        Assert.Contains("\nset aside sha256:ffffffffffff, quarantined: It\n          went wrong.\n", text, StringComparison.Ordinal);
        Assert.Equal(Words(StatusText.Format(Full)), Words(text));
        Assert.DoesNotContain(text.Split('\n'), line =>
            line.Length > 50 && line.Trim().Contains(' ', StringComparison.Ordinal) && !line.Contains("sha256:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2, 0, "2 sessions open, 0 in use")]
    [InlineData(1, 1, "1 session open, 1 in use")]
    [InlineData(0, 0, "0 sessions open")]
    public void Sessions_are_counted_in_the_singular_and_plural(int sessions, int inUse, string text)
    {
        var status = Full with { App = Full.App with { Sessions = sessions, SessionsInUse = inUse } };

        Assert.Contains($"port 80, {text}\n", StatusText.Format(status), StringComparison.Ordinal);
    }

    [Fact]
    public void A_URL_that_may_not_point_here_is_marked()
    {
        var status = Full with { Dns = Full.Dns! with { Addresses = [] } };

        Assert.Contains(
            "\nurl       https://rag.example.com/ (not known to point here)\n", StatusText.Format(status), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_values_have_no_line()
    {
        var bare = new StatusDocument(
            "1.2.3", 0, "Asking Docker Engine what is running.", new AppStatus("unknown", null, null, null, null, null, 0, false, 0, null),
            new ImageStatus(null, null, null, null, null, null), new SecretsStatus([], null), new EngineStatus(null, false),
            new FrontDoorStatus(80, false),
            new UpdateStatus(null, null), new RolloutStatus("resolve", null, null, [], null), null, []);

        Assert.Equal("Asking Docker Engine what is running.\n\napp       unknown\nrollout   resolve\nhttp      port 80, closed\n", StatusText.Format(bare));
    }

    [Fact]
    public void Json_on_a_terminal_does_not_escape_quotes_and_umlauts()
    {
        var json = JsonSerializer.Serialize(Full with { Headline = "'docker' läuft nicht" }, CompactJson.Plain.StatusDocument);

        Assert.Contains("\"headline\":\"'docker' läuft nicht\"", json, StringComparison.Ordinal);
    }

    private static string Serialize(StatusDocument status) => JsonSerializer.Serialize(status, ControlJson.Default.StatusDocument);

    private static string[] Words(string text) => text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries);

    /// <summary>In this machine's time zone, which is part of the text.</summary>
    private static string LocalTime(DateTimeOffset at)
    {
        var local = at.ToLocalTime();
        var zone = local.Offset == TimeSpan.Zero ? "UTC" : local.ToString("zzz", System.Globalization.CultureInfo.InvariantCulture);
        return $"{local.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture)} {zone}";
    }

    private static IEnumerable<string> KeysOf(JsonElement element, string prefix) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject()
            .SelectMany(member => KeysOf(member.Value, prefix.Length == 0 ? member.Name : $"{prefix}.{member.Name}")),
        JsonValueKind.Array when element.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Object) =>
            element.EnumerateArray().SelectMany(item => KeysOf(item, prefix)),
        _ => [prefix],
    };
}
