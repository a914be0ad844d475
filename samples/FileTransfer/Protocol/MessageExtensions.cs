using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Post.Sockets;

namespace FileTransfer.Protocol;

/// <summary>Sends and reads the JSON messages.</summary>
internal static class MessageExtensions
{
    /// <summary>The bounds of associations that speak the file protocol: a receipt means that the bytes are written.</summary>
    public static AssociationOptions AssociationOptions { get; } = new()
    {
        ReceiptLevel = ReceiptLevel.Processed,
        MaxWholeObjectSize = TransferLimits.MaxObjectSize,
        ReceiveBudget = TransferLimits.ReceiveBudget,
        MaxQueuedBytes = 2L * TransferLimits.MaxUnconfirmed,
        DrainTimeout = TimeSpan.FromSeconds(5),

        // Fifty clients that begin in one moment on a small server are all served, one after another.
        HandshakeTimeout = TimeSpan.FromSeconds(60),

        // Somebody waits for the files: a server that died without a word is missed soon.
        IdleTimeout = TimeSpan.FromSeconds(12),
        KeepAliveInterval = TimeSpan.FromSeconds(4),
    };

    /// <summary>
    /// Sends a message ahead of all file contents. It overtakes whatever is not among its antecedents, so everything that must not come
    /// after it has to stand there.
    /// </summary>
    public static ValueTask<SentObject> SendAsync<T>(
        this Association association,
        MessageHeader header,
        T message,
        JsonTypeInfo<T> format,
        SentObject? antecedent = null,
        CancellationToken cancellationToken = default) => association.SendWithoutCopyAsync(
        JsonSerializer.SerializeToUtf8Bytes(message, format),
        new ObjectProperties
        {
            Niceness = TransferLimits.ControlNiceness,
            Antecedents = antecedent is null ? [] : [antecedent],
            Metadata = header.ToBytes(),
        },
        cancellationToken);

    /// <summary>Sends news that is dropped rather than delivered late.</summary>
    public static void SendProgress(this Association association, uint request, SourceProgress progress) => association.SendWithoutCopy(
        JsonSerializer.SerializeToUtf8Bytes(progress, ProtocolJson.Wire.SourceProgress),
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
