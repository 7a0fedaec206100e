using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using RagAgent.Common;
using RagAgent.Containers;
using Xunit;

namespace RagAgent.Tests.Containers;

public class EngineProblemsTests
{
    private const string Socket = "/nowhere/docker.sock";

    [Theory]
    [InlineData(500, "driver failed programming external connectivity: Bind for 127.0.0.1:8501 failed: port is already allocated", "engine-port-taken",
        "Docker Engine could not start the container: driver failed programming external connectivity: Bind for 127.0.0.1:8501 failed: port is already allocated.")]
    [InlineData(
        500, "listen tcp4 127.0.0.1:8501: bind: address already in use", "engine-port-taken",
        "Docker Engine could not start the container: listen tcp4 127.0.0.1:8501: bind: address already in use.")]
    [InlineData(500, "write /var/lib/docker/x: no space left on device", "disk-full", "Docker Engine could not start the container: the disk is full.")]
    [InlineData(404, "No such image: registry/app@sha256:aa", "image-missing", "Docker Engine could not start the container: the image is no longer on disk.")]
    [InlineData(400, "invalid mount config for type \"bind\": bind source path does not exist: /x", "volume-missing", "The folder /x of container.volumes does not exist.")]
    [InlineData(500, "error while creating mount source path '/x': mkdir /x: read-only file system", "engine-mount",
        "Docker Engine could not start the container: error while creating mount source path '/x': mkdir /x: read-only file system.")]
    [InlineData(
        400, "unable to find user app: no matching entries in passwd file", "engine-user",
        "Docker Engine could not start the container: unable to find user app: no matching entries in passwd file.")]
    [InlineData(400, "client version 1.44 is too new. Maximum supported API version is 1.41", "engine-unreachable",
        "Docker Engine no longer speaks the same API version: client version 1.44 is too new. Maximum supported API version is 1.41.")]
    [InlineData(500, "something new.\n", "engine-refused", "Docker Engine could not start the container: something new.")]
    [InlineData(404, "No such container: 0123", "engine-refused", "Docker Engine could not start the container: No such container: 0123.")]
    public void Engine_errors_become_sentences(int status, string message, string code, string sentence)
    {
        var body = System.Text.Json.JsonSerializer.Serialize(new { message });

        var problem = EngineProblems.From(new DockerApiException((HttpStatusCode)status, body), "start the container", Socket);

        Assert.Equal((code, sentence), (problem.Code, problem.What));
        Assert.EndsWith(".", problem.Remedy, StringComparison.Ordinal);
    }

    // From Engine 20.10 after its layers were damaged by hand, with and without a restart. The last four are from containerd.
    [Theory]
    [InlineData("layer does not exist")]
    [InlineData("open /var/lib/docker/overlay2/fa8282f33b268d800291/link: no such file or directory")]
    [InlineData("open /var/lib/docker/overlay2/3a8627d0f86f5f09eada/committed: no such file or directory")]
    [InlineData("stat /var/lib/docker/overlay2/3a8627d0f86f5f09eada: no such file or directory")]
    [InlineData("error creating overlay mount to /var/lib/docker/overlay2/2b74e4d23cb0e36e5164-init/merged: no such file or directory")]
    [InlineData("error creating overlay mount to /var/lib/docker/overlay2/171dd7b9e2bd07de5065-init/merged: too many levels of symbolic links")]
    [InlineData("readlink /var/lib/docker/overlay2: invalid argument")]
    [InlineData("readlink /var/lib/docker/overlay2/l: invalid argument")]
    [InlineData("readlink /var/lib/docker/overlay2/l/ABCDEFGHIJKLMNOPQRSTUVWXYZ: no such file or directory")]
    [InlineData(
        "failed to register layer: rename /var/lib/docker/image/overlay2/layerdb/tmp/write-set-3175611908 " +
        "/var/lib/docker/image/overlay2/layerdb/sha256/594b93a24e: file exists")]
    [InlineData("failed to create prepare snapshot dir: missing parent \"sha256:0123\" bucket: not found")]
    [InlineData("parent snapshot sha256:0123 does not exist: not found")]
    [InlineData("content digest sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef: not found")]
    [InlineData("blob sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef not found")]
    public void A_corrupt_layer_on_disk_is_told_from_other_errors(string message)
    {
        var problem = EngineProblems.FromMessage(message, HttpStatusCode.InternalServerError, "create the container");

        Assert.Equal("image-corrupt", problem.Code);
        Assert.Equal($"Docker Engine could not create the container: a layer of the image on disk is corrupt ({message}).", problem.What);
    }

    [Theory]
    [InlineData(
        "connection error: desc = \"transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused\": unavailable",
        "engine-containerd")]
    [InlineData("ttrpc: closed: unknown", "engine-containerd")]
    [InlineData("driver failed programming external connectivity on endpoint ragstream: (iptables failed: iptables: No chain/target/match by that name.)", "engine-network")]
    [InlineData("failed to create shim task: OCI runtime create failed: fork/exec /proc/self/exe: resource temporarily unavailable: unknown", "engine-short")]
    public void A_fault_of_the_engine_itself_does_not_count_against_the_image(string message, string code)
    {
        var problem = EngineProblems.FromMessage(message, HttpStatusCode.InternalServerError, "start the container");
        Assert.Equal((code, 0), (problem.Code, problem.Kind.ImageBlame));
    }

    [Theory]
    // The command is missing in the image. A removed `lower` file looks the same, and nothing tells the two apart.
    [InlineData(
        "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: " +
        "exec: \"/bin/sh\": stat /bin/sh: no such file or directory: unknown",
        "engine-refused")]
    [InlineData("open /var/lib/docker/overlay2/2b74e4d23cb0e36e5164/merged/etc/passwd: no such file or directory", "engine-refused")]
    [InlineData("error creating overlay mount to /var/lib/docker/overlay2/2b74e4d23cb0e36e5164-init/merged: device or resource busy", "engine-refused")]
    [InlineData("error creating overlay mount to /var/lib/docker/overlay2/2b74e4d23cb0e36e5164-init/merged: input/output error", "engine-refused")]
    [InlineData("mkdir /var/lib/docker/overlay2/2b74e4d23cb0e36e5164-init: no space left on device", "disk-full")]
    [InlineData("error mounting \"/data\" to rootfs \"/var/lib/docker/overlay2/2b74e4d23cb0e36e5164/merged\" at \"/app\": not a directory", "engine-mount")]
    public void An_error_that_resembles_a_corrupt_layer_is_not_taken_for_one(string message, string code) =>
        Assert.Equal(code, EngineProblems.FromMessage(message, HttpStatusCode.InternalServerError, "start the container").Code);

    [Theory]
    [InlineData("{\"message\":\"words\"}", "words")]
    [InlineData("page not found", "page not found")]
    [InlineData("", "HTTP 500")]
    [InlineData("{\"error\":1}", "{\"error\":1}")]
    [InlineData("[]", "[]")]
    [InlineData("7", "7")]
    [InlineData("{\"message\":7}", "{\"message\":7}")]
    public void The_error_message_is_found_in_any_response_body(string body, string expected) =>
        Assert.Equal(expected, EngineProblems.ErrorMessage(new DockerApiException(HttpStatusCode.InternalServerError, body)));

    [Fact]
    public void An_engine_without_a_socket_is_reported_as_not_running() =>
        Assert.Equal(
            new Problem(
                ProblemCatalog.EngineUnreachable, $"Docker Engine is not running: its socket {Socket} does not exist.",
                "Start it with 'systemctl start docker' (or set DOCKER_HOST); the agent waits for it."),
            EngineProblems.From(Failed(SocketError.AddressNotAvailable), "answer", Socket));

    [Fact]
    public void An_engine_whose_socket_has_no_listener_is_reported_as_not_running()
    {
        var socket = Path.GetTempFileName();
        try
        {
            Assert.Equal(
                new Problem(
                    ProblemCatalog.EngineUnreachable, $"Docker Engine is not running: nothing listens on {socket}.",
                    "Start it with 'systemctl start docker'; the agent waits for it."),
                EngineProblems.From(Failed(SocketError.ConnectionRefused), "answer", socket));
        }
        finally
        {
            File.Delete(socket);
        }
    }

    [Fact]
    public void A_denied_socket_reports_the_group_to_join() =>
        Assert.Equal(
            new Problem(ProblemCatalog.EngineUnreachable, $"Docker Engine's socket {Socket} can't be opened: permission denied.",
                $"Run this as root (sudo), or add the user '{Environment.UserName}' to the group that owns the socket (usually 'docker')."),
            EngineProblems.From(Failed(SocketError.AccessDenied), "answer", Socket));

    [Fact]
    public void A_broken_connection_is_reported_with_its_cause()
    {
        var socket = Path.GetTempFileName();
        try
        {
            Assert.Equal(
                $"The connection to Docker Engine on {socket} broke: the connection was reset.",
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
    public void A_changed_engine_version_counts_as_a_connection_failure(int status, string message, bool outOfReach) =>
        Assert.Equal(outOfReach, EngineProblems.IsConnectionFailure(new DockerApiException((HttpStatusCode)status, $$"""{"message":"{{message}}"}""")));

    [Fact]
    public void Any_other_exception_is_reported_as_a_fault_of_the_agent() =>
        Assert.Equal("unexpected", EngineProblems.From(new InvalidCastException("x"), "answer", Socket).Code);

    private static HttpRequestException Failed(SocketError error) => new("Connection failed.", new SocketException((int)error));
}
