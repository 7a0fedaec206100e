using System.Text.Json;
using System.Text.Json.Serialization;
using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws.Admin;

/// <summary>What goes over the admin paths and into the ready file.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowOutOfOrderMetadataProperties = true, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(FaultRule))]
[JsonSerializable(typeof(IReadOnlyList<FaultRule>))]
[JsonSerializable(typeof(IReadOnlyList<RecordedRequest>))]
[JsonSerializable(typeof(ReadyFile))]
internal sealed partial class AdminJson : JsonSerializerContext;
