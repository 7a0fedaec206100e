using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using RagAgent.Containers;
using RagAgent.Supervision;
using Xunit;

namespace RagAgent.Tests.Containers;

public class EngineProblemsTests
{
    private const string Socket = "/nowhere/docker.sock";

    [Theory]
    [InlineData(500, "driver failed programming external connectivity: Bind for 127.0.0.1:8501 failed: port is already allocated", "engine-port-taken",
        "Docker Engine could not start the container: driver failed programming external connectivity: Bind for 127.0.0.1:8501 failed: port is already allocated.")]
    [InlineData(500, "listen tcp4 127.0.0.1:8501: bind: address already in use", "engine-port-taken", "Docker Engine could not start the container: listen tcp4 127.0.0.1:8501: bind: address already in use.")]
    [InlineData(500, "write /var/lib/docker/x: no space left on device", "disk-full", "Docker Engine could not start the container: the disk is full.")]
    [InlineData(404, "No such image: registry/app@sha256:aa", "image-missing", "Docker Engine could not start the container: the image is no longer on disk.")]
    [InlineData(400, "invalid mount config for type \"bind\": bind source path does not exist: /x", "engine-mount",
        "Docker Engine could not start the container: invalid mount config for type \"bind\": bind source path does not exist: /x.")]
    [InlineData(500, "error while creating mount source path '/x': mkdir /x: read-only file system", "engine-mount",
        "Docker Engine could not start the container: error while creating mount source path '/x': mkdir /x: read-only file system.")]
    [InlineData(400, "unable to find user app: no matching entries in passwd file", "engine-user", "Docker Engine could not start the container: unable to find user app: no matching entries in passwd file.")]
    [InlineData(400, "client version 1.44 is too new. Maximum supported API version is 1.41", "engine-unreachable",
        "Docker Engine speaks another API version than before: client version 1.44 is too new. Maximum supported API version is 1.41.")]
    [InlineData(500, "something new.\n", "engine-refused", "Docker Engine could not start the container: something new.")]
    [InlineData(404, "No such container: 0123", "engine-refused", "Docker Engine could not start the container: No such container: 0123.")]
    public void The_engines_refusals_become_sentences(int status, string message, string code, string sentence)
    {
        var body = System.Text.Json.JsonSerializer.Serialize(new { message });

        var problem = EngineProblems.From(new DockerApiException((HttpStatusCode)status, body), "start the container", Socket);

        Assert.Equal((code, sentence), (problem.Code, problem.What));
        Assert.EndsWith(".", problem.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"message\":\"words\"}", "words")]
    [InlineData("page not found", "page not found")]
    [InlineData("", "HTTP 500")]
    [InlineData("{\"error\":1}", "{\"error\":1}")]
    [InlineData("[]", "[]")]
    [InlineData("7", "7")]
    [InlineData("{\"message\":7}", "{\"message\":7}")]
    public void The_engines_own_words_are_found_in_whatever_it_sent(string body, string expected) =>
        Assert.Equal(expected, EngineProblems.Message(new DockerApiException(HttpStatusCode.InternalServerError, body)));

    [Fact]
    public void An_engine_whose_socket_is_missing_does_not_run() =>
        Assert.Equal(
            new Problem("engine-unreachable", $"Docker Engine is not running: its socket {Socket} does not exist.", "Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it."),
            EngineProblems.From(Failed(SocketError.AddressNotAvailable), "answer", Socket));

    [Fact]
    public void An_engine_whose_socket_nobody_listens_on_does_not_run()
    {
        var socket = Path.GetTempFileName();
        try
        {
            Assert.Equal(
                new Problem("engine-unreachable", $"Docker Engine is not running: nothing listens on {socket}.", "Start it with 'systemctl start docker'; the agent waits for it."),
                EngineProblems.From(Failed(SocketError.ConnectionRefused), "answer", socket));
        }
        finally
        {
            File.Delete(socket);
        }
    }

    [Fact]
    public void A_socket_that_this_user_may_not_open_names_the_group_to_join() =>
        Assert.Equal(
            new Problem("engine-unreachable", $"Docker Engine's socket {Socket} can't be opened: permission denied.",
                $"Add the agent's user '{Environment.UserName}' to the group that owns the socket (usually 'docker') and restart the agent."),
            EngineProblems.From(Failed(SocketError.AccessDenied), "answer", Socket));

    [Fact]
    public void A_connection_that_breaks_is_told_with_its_cause()
    {
        var socket = Path.GetTempFileName();
        try
        {
            Assert.Equal(
                $"Docker Engine's connection on {socket} broke: the connection was cut.",
                EngineProblems.From(new IOException("read", new SocketException((int)SocketError.ConnectionReset)), "answer", socket).What);
        }
        finally
        {
            File.Delete(socket);
        }
    }

    [Theory]
    [InlineData(400, "client version 1.44 is too new", true)]
    [InlineData(400, "invalid mount config", false)]
    [InlineData(500, "client version", false)]
    public void After_a_change_of_the_engines_version_the_connection_is_made_anew(int status, string message, bool outOfReach) =>
        Assert.Equal(outOfReach, EngineProblems.MeansOutOfReach(new DockerApiException((HttpStatusCode)status, $$"""{"message":"{{message}}"}""")));

    [Fact]
    public void What_is_neither_is_a_fault_of_the_agent() =>
        Assert.Equal("unexpected", EngineProblems.From(new InvalidCastException("x"), "answer", Socket).Code);

    private static HttpRequestException Failed(SocketError error) => new("Connection failed.", new SocketException((int)error));
}
