using System.Text.Json;
using System.Text.Json.Serialization;
using LocalAws.Faults;
using LocalAws.Requests;

namespace LocalAws.Admin;

/// <summary>The JSON of the admin paths and of the ready file.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, AllowOutOfOrderMetadataProperties = true, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(FaultRule))]
[JsonSerializable(typeof(IReadOnlyList<FaultRule>))]
[JsonSerializable(typeof(IReadOnlyList<RecordedRequest>))]
[JsonSerializable(typeof(ReadyFile))]
internal sealed partial class AdminJson : JsonSerializerContext;
