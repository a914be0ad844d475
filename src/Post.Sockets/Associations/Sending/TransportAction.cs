using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Something to be done to a stream, decided under the association's lock and carried out after it: the transport has locks of its own.
/// </summary>
internal readonly record struct TransportAction(
    TransportActionKind Kind, TransportStream Stream, PostErrorCode Code = 0, TransportPriority Priority = default, long ReliableSize = 0)
{
    public void Run()
    {
        switch (Kind)
        {
            case TransportActionKind.Reset:
                Stream.Reset((long)Code, ReliableSize);
                break;
            case TransportActionKind.StopReading:
                Stream.StopReading((long)Code);
                break;
            case TransportActionKind.SetPriority:
                Stream.SetPriority(Priority);
                break;
            default:
                var disposed = Stream.DisposeAsync();
                if (!disposed.IsCompletedSuccessfully)
                {
                    _ = disposed.AsTask().ContinueWith(
                        static task => _ = task.Exception,
                        CancellationToken.None,
                        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                        TaskScheduler.Default);
                }

                break;
        }
    }
}
