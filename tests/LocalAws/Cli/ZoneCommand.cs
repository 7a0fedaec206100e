using System.CommandLine;

namespace LocalAws.Cli;

/// <summary><c>local-aws zone add|records</c>.</summary>
internal static class ZoneCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var id = new Argument<string>("ID") { Description = "Such as Z0123456789ABCDEFGHIJ." };
        var name = new Argument<string>("NAME") { Description = "Such as example.com." };
        var add = new Command("add", "Create an empty hosted zone.") { endpoint, id, name };
        add.SetAction((result, stopping) => CommandRunner.RunAsync(() =>
        {
            var query = $"id={Uri.EscapeDataString(result.GetRequiredValue(id))}&name={Uri.EscapeDataString(result.GetRequiredValue(name))}";
            return AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Put, $"/hosted-zones?{query}", null, stopping);
        }));
        var records = new Command("records", "Print the records of a hosted zone, one per line.") { endpoint, id };
        records.SetAction((result, stopping) => CommandRunner.RunAsync(async () =>
        {
            var path = $"/records?zone={Uri.EscapeDataString(result.GetRequiredValue(id))}";
            await Console.Out.WriteLineAsync(
                await AdminClient.SendAsync(result.GetRequiredValue(endpoint), HttpMethod.Get, path, null, stopping));
        }));
        return new Command("zone", "Manage the hosted zones of a running LocalAws.") { add, records };
    }
}
