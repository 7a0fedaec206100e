using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws expire registry-tokens|role-credentials</c>: what was given out ends now.</summary>
internal static class ExpireCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var what = new Argument<string>("WHAT");
        what.AcceptOnlyFromAmong("registry-tokens", "role-credentials");
        var command = new Command("expire", "End what was given out so far, in the middle of its life.") { endpoint, what };
        command.SetAction((result, stopping) => Running.Command(() => AdminClient.SendAsync(
            result.GetRequiredValue(endpoint), HttpMethod.Post, $"/{result.GetRequiredValue(what)}/expire", null, stopping)));
        return command;
    }
}
