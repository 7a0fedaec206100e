using RagAgent.Benchmarks;

// Two parts of the bench that no tool of the shelf has: an app that costs next to nothing itself, and many WebSockets at once.
return args switch
{
    ["backend", var port] => await Backend.RunAsync(int.Parse(port)),
    ["sockets", var url, var count, var seconds] => await Sockets.RunAsync(new Uri(url), int.Parse(count), TimeSpan.FromSeconds(int.Parse(seconds))),
    ["first-byte", var url, .. var command] => await FirstByte.RunAsync(new Uri(url), command),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("ragagent-benchmarks backend PORT | sockets URL COUNT SECONDS | first-byte URL COMMAND…");
    return 64;
}
