using FileTransfer;
using FileTransfer.Protocol;
using FileTransfer.Reporting;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>Tells nobody.</summary>
internal sealed class SilentReporter : IReporter
{
    public void Note(string text)
    {
    }

    public void Result(Summary summary)
    {
    }

    public void List(IEnumerable<FileEntry> files)
    {
    }

    public void Listening(string endPoint, string key, string engine)
    {
    }

    public void Error(string text, ExitCode code)
    {
    }

    public Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work) => work();
}
