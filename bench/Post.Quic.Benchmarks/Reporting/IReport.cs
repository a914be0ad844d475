namespace Post.Quic.Benchmarks.Reporting;

/// <summary>Where results go, case by case as they come.</summary>
internal interface IReport
{
    void Write(CaseResult result);
}
