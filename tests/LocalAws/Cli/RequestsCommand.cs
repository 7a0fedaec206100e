using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LocalAws.Admin;
using LocalAws.Requests;

namespace LocalAws.Cli;

/// <summary><c>local-aws requests</c>: what was asked so far.</summary>
internal static class RequestsCommand
{
    public static Command Create()
    {
        var endpoint = AdminClient.EndpointOption();
        var operation = new Option<string?>("--operation") { Description = "Only this one." };
        var count = new Option<bool>("--count") { Description = "Print only how many." };
        var json = new Option<bool>("--json");
        var clear = new Option<bool>("--clear") { Description = "Forget them after printing." };
        var command = new Command("requests", "Print what a LocalAws that runs was asked.") { endpoint, operation, count, json, clear };
        command.SetAction((result, stopping) => CommandRunner.RunAsync(async () =>
        {
            var address = result.GetRequiredValue(endpoint);
            var text = await AdminClient.SendAsync(address, HttpMethod.Get, "/requests", null, stopping);
            var only = result.GetValue(operation);
            IReadOnlyList<RecordedRequest> requests =
                [.. JsonSerializer.Deserialize(text, AdminJson.Default.IReadOnlyListRecordedRequest)!.Where(r => only is null || r.Operation == only)];
            if (result.GetValue(count))
            {
                await Console.Out.WriteLineAsync(requests.Count.ToString(CultureInfo.InvariantCulture));
            }
            else if (result.GetValue(json))
            {
                await Console.Out.WriteLineAsync(JsonSerializer.Serialize(requests, AdminJson.Default.IReadOnlyListRecordedRequest));
            }
            else
            {
                foreach (var r in requests)
                {
                    await Console.Out.WriteLineAsync($"{r.Time:HH:mm:ss.fff} {r.Status?.ToString(CultureInfo.InvariantCulture) ?? "...",3} "
                        + $"{r.Operation,-26} {r.Method,-5} {r.Resource}");
                }
            }

            if (result.GetValue(clear))
            {
                await AdminClient.SendAsync(address, HttpMethod.Delete, "/requests", null, stopping);
            }
        }));
        return command;
    }
}
