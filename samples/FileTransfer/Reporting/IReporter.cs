namespace FileTransfer.Reporting;

/// <summary>Tells people, or programs, what happens. Results go to standard output, everything else to standard error.</summary>
internal interface IReporter
{
    /// <summary>Something worth knowing.</summary>
    void Note(string text);

    /// <summary>A result: lines for people, one object for programs.</summary>
    void Result(Summary summary);

    /// <summary>What is listed.</summary>
    void List(IEnumerable<Protocol.FileEntry> files);

    /// <summary>Where a server listens.</summary>
    void Listening(string endPoint, string key, string engine);

    /// <summary>What went wrong.</summary>
    void Error(string text, ExitCode code);

    /// <summary>Shows progress while a task runs.</summary>
    Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work);
}
