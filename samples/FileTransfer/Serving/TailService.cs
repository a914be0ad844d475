using System.Text.Json;
using FileTransfer.Protocol;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Serving;

/// <summary>Streams a file to somebody who reads along, and goes on while it grows. One line of JSON goes each way first.</summary>
internal sealed class TailService(SourceTree source)
{
    // A file system's own notices do not exist everywhere (network drives); looking at a length four times a second costs nothing.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    public async Task ServeAsync(PostStream stream, CancellationToken cancellationToken)
    {
        await using (stream)
        {
            try
            {
                var line = await Lines.ReadAsync(stream, cancellationToken);
                var request = JsonSerializer.Deserialize(line, ProtocolJson.Default.TailRequest);
                if (request?.Path is null)
                {
                    stream.Abort();
                    return;
                }

                await ServeAsync(stream, request, cancellationToken);
            }
            catch (Exception exception) when (exception is PostException or OperationCanceledException or JsonException or TransferException)
            {
                stream.Abort();
            }
        }
    }

    private async Task ServeAsync(PostStream stream, TailRequest request, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            file = source.Open(request.Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var reason = exception is TransferException ? exception.Message : "The server cannot read it.";
            await Lines.WriteAsync(stream, new TailAnswer(reason), ProtocolJson.Default.TailAnswer, cancellationToken);
            return;
        }

        await using (file)
        {
            file.Position = request.Offset < 0 ? Math.Max(0, file.Length + request.Offset) : Math.Min(request.Offset, file.Length);
            await Lines.WriteAsync(stream, new TailAnswer(null), ProtocolJson.Default.TailAnswer, cancellationToken);
            await file.CopyToAsync(stream, cancellationToken);
            if (!request.Follow)
            {
                return;
            }

            // The reader writes nothing more: that its direction ends is how its leaving shows while the file is silent.
            using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var leaving = WaitForEndAsync(stream, left);
            using var timer = new PeriodicTimer(LookInterval);
            while (await timer.WaitForNextTickAsync(left.Token))
            {
                if (file.Length < file.Position)
                {
                    // Begun anew, as logs are.
                    file.Position = 0;
                }

                await file.CopyToAsync(stream, left.Token);
            }

            await leaving;
        }
    }

    private static async Task WaitForEndAsync(PostStream stream, CancellationTokenSource left)
    {
        try
        {
            while (await stream.ReadAsync(new byte[1], left.Token) > 0)
            {
                // Ignored.
            }
        }
        catch (Exception exception) when (exception is PostException or OperationCanceledException or ObjectDisposedException)
        {
            // It left.
        }

        try
        {
            await left.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The serving ended first.
        }
    }
}
