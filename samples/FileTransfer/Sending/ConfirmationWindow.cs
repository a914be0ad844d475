namespace FileTransfer.Sending;

/// <summary>Bounds what is sent and not yet confirmed by the receiver's application, in bytes and in objects.</summary>
internal sealed class ConfirmationWindow(long maxBytes, int maxObjects)
{
    private readonly Lock _gate = new();
    private long _bytes;
    private int _objects;
    private TaskCompletionSource? _room;

    /// <summary>Waits for room, and takes it.</summary>
    public async ValueTask EnterAsync(int bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_objects < maxObjects && (_bytes == 0 || _bytes + bytes <= maxBytes))
                {
                    _bytes += bytes;
                    _objects++;
                    return;
                }

                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            await room.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Gives room back.</summary>
    public void Leave(int bytes)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            _bytes -= bytes;
            _objects--;
            room = _room;
            _room = null;
        }

        room?.TrySetResult();
    }

    /// <summary>Waits until everything is confirmed.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_objects == 0)
                {
                    return;
                }

                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            await room.WaitAsync(cancellationToken);
        }
    }
}
