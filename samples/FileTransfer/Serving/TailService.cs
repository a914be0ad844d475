using System.Buffers;
using System.Text.Json;
using FileTransfer.Protocol;
using FileTransfer.Sources;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using Microsoft.Win32.SafeHandles;
using Post.Sockets;

namespace FileTransfer.Serving;

/// <summary>Streams a file to somebody who reads along, and goes on while it grows. One line of JSON goes each way first.</summary>
internal sealed class TailService(SourceTree source, Action<string> log)
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
                var request = JsonSerializer.Deserialize(line, ProtocolJson.Wire.TailRequest);
                if (request?.Path is null)
                {
                    stream.Abort();
                    return;
                }

                await ServeAsync(stream, request, cancellationToken);
            }
            catch (Exception exception) when (exception is PostException or OperationCanceledException or JsonException or TransferException
                || FileFaultException.IsOne(exception))
            {
                stream.Abort();
            }
        }
    }

    private async Task ServeAsync(PostStream stream, TailRequest request, CancellationToken cancellationToken)
    {
        SafeFileHandle file;
        try
        {
            file = source.OpenRead(request.Path);
        }
        catch (TransferException exception)
        {
            log($"refused: {exception.Message}");
            await Lines.WriteAsync(stream, new TailAnswer(exception.Message), ProtocolJson.Wire.TailAnswer, cancellationToken);
            return;
        }

        using (file)
        {
            log($"{(request.Follow ? "follows" : "reads")} '{RelativePath.Show(request.Path)}'");
            var length = RandomAccess.GetLength(file);
            var position = request.Offset < 0 ? Math.Max(0, length + request.Offset) : Math.Min(request.Offset, length);
            await Lines.WriteAsync(stream, new TailAnswer(null), ProtocolJson.Wire.TailAnswer, cancellationToken);
            position = await CopyAsync(file, position, stream, cancellationToken);
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
                if (RandomAccess.GetLength(file) < position)
                {
                    // Begun anew, as logs are.
                    position = 0;
                }

                position = await CopyAsync(file, position, stream, left.Token);
            }

            await leaving;
        }
    }

    /// <summary>Copies from a position to the end of the file; gives the position there.</summary>
    private static async Task<long> CopyAsync(SafeFileHandle file, long position, PostStream stream, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            int read;
            while ((read = RandomAccess.Read(file, buffer, position)) > 0)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                position += read;
            }

            return position;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
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
