using FileTransfer.Protocol;
using Post.Sockets;

namespace FileTransfer.Client;

/// <summary>Takes what the server sends for the request at hand.</summary>
internal static class ResultReader
{
    /// <summary>Gives the messages of a request to a handler until it has its result. A refusal becomes an exception.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="association">The association.</param>
    /// <param name="request">The number of the request.</param>
    /// <param name="handle">Handles a message; null: more must come.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransferException">The server refused.</exception>
    /// <exception cref="PostException">The association ended.</exception>
    public static async Task<T> ReceiveAsync<T>(
        Association association,
        uint request,
        Func<MessageHeader, ReceivedObject, ValueTask<T?>> handle,
        CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            // What waits already is handed over without a look at the token.
            cancellationToken.ThrowIfCancellationRequested();
            using var item = await association.ReceiveAsync(cancellationToken);
            if (!MessageHeader.TryParse(item.Metadata.Span, out var header))
            {
                throw new TransferException(ExitCode.Refused, "The server does not speak this version of the file protocol.");
            }

            if (header.Request != request)
            {
                // Of a request that ended early.
                item.MarkProcessed();
                continue;
            }

            if (header.Type == MessageType.Refused)
            {
                item.MarkProcessed();
                throw new TransferException(ExitCode.Refused, item.Read(ProtocolJson.Wire.Failure).Reason);
            }

            var result = await handle(header, item);
            item.MarkProcessed();
            if (result is not null)
            {
                return result;
            }
        }
    }
}
