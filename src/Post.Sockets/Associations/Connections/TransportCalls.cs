using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Calls on streams whose connection may have ended meanwhile: then the event of that is on the way, and the call means nothing any more.
/// </summary>
internal static class TransportCalls
{
    public static void Reset(TransportStream stream, long code, long reliableSize = 0)
    {
        try
        {
            stream.Reset(code, reliableSize);
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // See above.
        }
    }

    public static void StopReading(TransportStream stream, long code)
    {
        try
        {
            stream.StopReading(code);
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // See above.
        }
    }

    public static void SetPriority(TransportStream? stream, in TransportPriority priority)
    {
        try
        {
            stream?.SetPriority(priority);
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // See above.
        }
    }

    /// <summary>Gives a stream back.</summary>
    public static void Release(TransportStream stream)
    {
        try
        {
            var disposed = stream.DisposeAsync();
            if (!disposed.IsCompletedSuccessfully)
            {
                _ = disposed.AsTask().ContinueWith(
                    static task => _ = task.Exception,
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (IsOver(exception))
        {
            // See above.
        }
    }

    private static bool IsOver(Exception exception) => exception is TransportException or ObjectDisposedException;
}
