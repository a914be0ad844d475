using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Post.Sockets;

namespace FileTransfer.Protocol;

/// <summary>Sends and reads the JSON messages.</summary>
internal static class MessageExtensions
{
    /// <summary>The bounds of associations that speak the file protocol: a receipt means that the bytes are on disk.</summary>
    public static AssociationOptions AssociationOptions { get; } = new()
    {
        ReceiptLevel = ReceiptLevel.Processed,
        MaxWholeObjectSize = TransferLimits.MaxObjectSize,
        ReceiveBudget = 4L * TransferLimits.MaxObjectSize,
        MaxQueuedBytes = 2L * TransferLimits.MaxUnconfirmed,
        DrainTimeout = TimeSpan.FromSeconds(5),

        // Somebody waits for the files: a server that died without a word is missed soon.
        IdleTimeout = TimeSpan.FromSeconds(12),
        KeepAliveInterval = TimeSpan.FromSeconds(4),
    };

    /// <summary>Sends a message ahead of all file contents, but never ahead of its antecedents.</summary>
    public static ValueTask<SentObject> SendAsync<T>(
        this Association association,
        MessageType type,
        uint request,
        T message,
        JsonTypeInfo<T> format,
        uint file = 0,
        IReadOnlyList<SentObject>? antecedents = null,
        CancellationToken cancellationToken = default) => association.SendAsync(
        JsonSerializer.SerializeToUtf8Bytes(message, format),
        new ObjectProperties
        {
            Niceness = TransferLimits.ControlNiceness,
            Antecedents = antecedents ?? [],
            Metadata = new MessageHeader { Type = type, Request = request, File = file }.ToBytes(),
        },
        cancellationToken);

    /// <summary>Sends news that is dropped rather than delivered late.</summary>
    public static void SendProgress(this Association association, uint request, SenderProgress progress) => association.Send(
        JsonSerializer.SerializeToUtf8Bytes(progress, ProtocolJson.Default.SenderProgress),
        new ObjectProperties
        {
            Niceness = TransferLimits.ProgressNiceness,
            Lifetime = TransferLimits.ProgressLifetime,
            Retransmit = false,
            Metadata = new MessageHeader { Type = MessageType.Progress, Request = request }.ToBytes(),
        });

    /// <summary>Reads a message.</summary>
    /// <exception cref="TransferException">It is none.</exception>
    public static T Read<T>(this ReceivedObject item, JsonTypeInfo<T> format)
    {
        try
        {
            var reader = new Utf8JsonReader(item.Payload);
            return JsonSerializer.Deserialize(ref reader, format) ?? throw new JsonException("null");
        }
        catch (JsonException exception)
        {
            throw new TransferException(ExitCode.Refused, $"The peer sent a message that is none: {exception.Message}", exception);
        }
    }
}
