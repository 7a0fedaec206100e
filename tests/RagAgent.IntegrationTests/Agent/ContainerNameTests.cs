using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A container name that is taken, by a container being removed or by a foreign one.</summary>
public sealed class ContainerNameTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Theory]
    [InlineData("gone already")]
    [InlineData("shown as being removed")]
    public async Task A_container_name_held_by_a_container_being_removed_is_retried_silently(string holder)
    {
        await PushAsync();
        var creations = await RefuseNameAsync(3, holder);

        StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Equal(4, creations());
        Assert.Null(status.LastFailure);   // the retries are not reported
    }

    [Fact]
    public async Task A_container_removal_that_outlasts_the_retries_is_reported_and_waited_for()
    {
        await PushAsync();
        await RefuseNameAsync(8, "shown as being removed");

        StartAgent();
        var failure = await WaitForFailureAsync("container-name-taken");
        Assert.Equal($"The name {Name} is still taken by a container that is being removed.", failure.Problem.What);

        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_foreign_container_with_the_candidates_name_is_left_alone_and_the_app_keeps_serving()
    {
        await PushAsync("old");
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        var foreign = await Docker.RunCheckedAsync(
            "run",
            "--detach",
            "--name",
            $"{Name}-next",
            "--entrypoint",
            "/bin/sh",
            (await Docker.InspectAsync(Name))!["Image"]!.GetValue<string>(),
            "-c",
            "sleep 1000");
        try
        {
            await PushAsync("new");
            var update = await UpdateAsync();

            Assert.Equal(1, update.ExitCode);
            Assert.StartsWith($"ragagent: the update failed. The name {Name}-next is taken by the container {foreign[..12]}, which RagAgent did not create. " +
                $"Rename or remove it ('docker rename {Name}-next other')", update.Error, StringComparison.Ordinal);
            Assert.Equal("old", await ServedVersionAsync());
            Assert.Equal(started, await Docker.StartedAtAsync(Name));
            Assert.Equal("true", await Docker.RunCheckedAsync("inspect", "--format", "{{.State.Running}}", foreign));
        }
        finally
        {
            await Docker.RunCheckedAsync("rm", "--force", foreign);
        }

        // The image is not to blame, so the agent retries it automatically.
        await WaitUntilAsync(async () => await ServedVersionAsync() == "new", "the new image serves");
        Assert.Null((await WaitUntilServingAsync()).Rollout.SetAside);
    }

    /// <summary>Makes the engine refuse that many creations because of the name. Returns a counter of all creations.</summary>
    private async Task<Func<int>> RefuseNameAsync(int times, string holder)
    {
        var creations = 0;
        var id = new string('a', 64);
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            var path = context.Request.Path.Value!;
            if (path.EndsWith("/containers/create", StringComparison.Ordinal) && Interlocked.Increment(ref creations) <= times)
            {
                await AnswerAsync(context, 409, new JsonObject
                {
                    ["message"] = $"Conflict. The container name \"/{Name}\" is already in use by container \"{id}\". " +
                        "You have to remove (or rename) that container to be able to reuse that name.",
                }.ToJsonString());
                return true;
            }
            if (path.EndsWith($"/containers/{Name}/json", StringComparison.Ordinal) &&
                holder == "shown as being removed" &&
                Volatile.Read(ref creations) <= times)
            {
                await AnswerAsync(context, 200, $$$"""{"Id":"{{{id}}}","Name":"/{{{Name}}}","State":{"Status":"removing"}}""");
                return true;
            }
            return false;
        });
        return () => Volatile.Read(ref creations);
    }

    private static Task AnswerAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
